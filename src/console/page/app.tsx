/** The whole page: the sign-in, or the frame with the page that the address names. */
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { SessionAnswer } from "./answers.ts";
import { ask } from "./browser/ask.ts";
import { after } from "./browser/clock.ts";
import { LiveConnection } from "./browser/live-connection.ts";
import { applyLanguage, applyTheme, rememberedLanguage, rememberedTheme, type Theme } from "./browser/preferences.ts";
import { Frame } from "./frame.tsx";
import { SignIn } from "./sign-in.tsx";
import { SurroundingsContext } from "./surroundings.tsx";
import type { Language } from "./texts/texts.ts";

export function App() {
  const [session, setSession] = useState<SessionAnswer | null>(null);
  const [wasSignedOut, setSignedOut] = useState(false);
  const [language, setLanguage] = useState<Language>(rememberedLanguage);
  const [theme, setTheme] = useState<Theme>(rememberedTheme);
  useEffect(() => applyLanguage(language), [language]);
  useEffect(() => applyTheme(theme), [theme]);

  const look = useCallback(async () => {
    const asked = await ask<SessionAnswer>("GET", "session");
    if (asked.kind === "answered") setSession(asked.value);
    // The server is not there yet, or not any more: it is looked for until it is.
    else after(LOOK_AGAIN_MS, () => void look());
  }, []);
  useEffect(() => void look(), [look]);

  const onSignedOut = useCallback(() => {
    setSession({ isKeyNeeded: true, operator: null, expiresAt: null });
    setSignedOut(true);
  }, []);
  const isIn = session !== null && (!session.isKeyNeeded || session.operator !== null);
  const live = useMemo(() => (isIn ? new LiveConnection(onSignedOut) : null), [isIn, onSignedOut]);
  useEffect(() => {
    live?.start();
    return () => live?.stop();
  }, [live]);

  if (session === null) return null;
  const preferences = { language, setLanguage, theme, setTheme };
  if (live === null)
    return (
      <SignIn
        {...preferences}
        isOver={wasSignedOut}
        onSignedIn={(signedIn) => {
          setSignedOut(false);
          setSession(signedIn);
        }}
      />
    );
  const signOut = async (): Promise<void> => {
    await ask("DELETE", "session");
    setSession({ ...session, operator: null, expiresAt: null });
  };
  return (
    <SurroundingsContext.Provider value={{ language, live, session, onSignedOut }}>
      <Frame {...preferences} onSignOut={() => void signOut()} />
    </SurroundingsContext.Provider>
  );
}

const LOOK_AGAIN_MS = 1_000;
