/** What stands around every page: the way to the others, the age of the data, who is signed in. The address names the page, behind its #. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Logo, PAGE_ICONS } from "./parts/icons.tsx";
import { LiveAge } from "./parts/live-age.tsx";
import { Notices } from "./parts/notices.tsx";
import { Preferences, type PreferencesProps } from "./parts/preferences.tsx";
import { useSurroundings, useTell } from "./surroundings.tsx";
import { isPage, PAGE_NAMES, type PageName } from "./views/page-names.ts";
import { PAGES } from "./views/pages.tsx";

interface FrameProps extends PreferencesProps {
  readonly onSignOut: () => void;
}

export function Frame({ onSignOut, ...preferences }: FrameProps) {
  const tell = useTell();
  const { session } = useSurroundings();
  const [{ page, rest }, setPlace] = useState(placeOf(location.hash));
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const go = (): void => {
      setPlace(placeOf(location.hash));
      // A screen reader begins to read the new page, and not where the old one was left.
      main.current?.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    };
    addEventListener("hashchange", go);
    return () => removeEventListener("hashchange", go);
  }, []);
  const title = tell(`frame.${page}`);
  useEffect(() => {
    document.title = `${title} · Doorbuster`;
  }, [title]);
  const { View } = PAGES[page];
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {tell("frame.skip")}
      </button>
      <header class="top">
        <a class="brand" href="#/now">
          <Logo />
          <span>{tell("frame.product")}</span>
        </a>
        <LiveAge />
        <div class="top-end">
          <Preferences {...preferences} />
          {session.operator !== null && (
            <p class="who">
              <span class="who-name" title={tell("frame.signedInAs", { operator: session.operator })}>
                {session.operator}
              </span>
              <button type="button" onClick={onSignOut}>
                {tell("frame.signOut")}
              </button>
            </p>
          )}
        </div>
      </header>
      <nav class="pages" aria-label={tell("frame.pages")}>
        {PAGE_NAMES.map((name) => (
          <a key={name} href={`#/${name}`} aria-current={name === page ? "page" : undefined}>
            {PAGE_ICONS[name]}
            <span>{tell(`frame.${name}`)}</span>
          </a>
        ))}
      </nav>
      <main id="content" tabIndex={-1} ref={main}>
        {!session.isKeyNeeded && <p class="notice">{tell("frame.noKey")}</p>}
        <Notices>
          <View key={page} place={rest} />
        </Notices>
      </main>
    </div>
  );
}

/** `#/trace/abc?x=y` is the page `trace` at `abc?x=y`. */
function placeOf(hash: string): { readonly page: PageName; readonly rest: string } {
  const [, name = "", rest = ""] = /^#\/?([a-z]*)\/?(.*)$/.exec(hash) ?? [];
  return { page: isPage(name) ? name : "now", rest };
}
