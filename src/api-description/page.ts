/** The page at `/docs`: Swagger UI over this port's own document. Nothing on it comes from another origin, and nothing runs that is not a file. */

/** The files of the package `swagger-ui-dist` that the page needs, with their types. */
export const LIBRARY_FILES: ReadonlyMap<string, string> = new Map([
  ["swagger-ui.css", "text/css"],
  ["swagger-ui-bundle.js", "text/javascript"],
]);

/** Swagger UI sets styles on its elements, and its pictures are data within its style sheet. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Addresses are relative, so that the page also works behind a proxy that gives it a prefix. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Doorbuster: the API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <main id="api"><p>The machine-readable form is <a href="openapi.json">openapi.json</a>.</p></main>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/initializer.js"></script>
  </body>
</html>
`;

/** A validator would be asked over the network; the document is validated by our tests. */
export const INITIALIZER = {
  name: "initializer.js",
  text: `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`,
} as const;
