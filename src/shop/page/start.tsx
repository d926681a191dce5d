/** The shop page. */
import { render } from "preact";
import { App } from "./app.tsx";
import "./shop.css";

const root = document.getElementById("shop");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
