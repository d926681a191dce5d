/** The sign-in: the admin key, and under which name the operator stands in the trail. */
import { useState } from "preact/hooks";
import type { SessionAnswer } from "./answers.ts";
import { ask } from "./browser/ask.ts";
import { Logo } from "./parts/icons.tsx";
import { Preferences, type PreferencesProps } from "./parts/preferences.tsx";
import { tellerOf } from "./texts/texts.ts";

interface SignInProps extends PreferencesProps {
  /** Somebody was signed in here until now. */
  readonly isOver: boolean;
  readonly onSignedIn: (session: SessionAnswer) => void;
}

export function SignIn({ isOver, onSignedIn, ...preferences }: SignInProps) {
  const tell = tellerOf(preferences.language);
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    const asked = await ask<SessionAnswer>("POST", "session", { adminKey: form.get("adminKey"), operator: form.get("operator") });
    setBusy(false);
    if (asked.kind === "answered") onSignedIn(asked.value);
    else if (asked.kind === "refused") setFault(faultOf(asked.status, asked.retryAfterSeconds, asked.detail));
  };
  const faultOf = (status: number, seconds: number, detail: string): string => {
    if (status === 401) return tell("signIn.wrong");
    return status === 429 ? tell("signIn.tooMany", { seconds }) : tell("frame.failed", { why: detail });
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <Logo />
        <h1 id="sign-in-title">{tell("signIn.title")}</h1>
        <p class="quiet">{tell("signIn.lead")}</p>
        {isOver && fault === null && (
          <p class="notice" role="status">
            {tell("signIn.over")}
          </p>
        )}
        <label class="field">
          <span>{tell("signIn.key")}</span>
          <input type="password" name="adminKey" required maxLength={256} autocomplete="current-password" autofocus />
        </label>
        <label class="field">
          <span>{tell("signIn.name")}</span>
          <input type="text" name="operator" required maxLength={64} autocomplete="name" aria-describedby="sign-in-name-hint" />
          <small id="sign-in-name-hint">{tell("signIn.nameHint")}</small>
        </label>
        <p class="fault" role="alert">
          {fault}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          {tell("signIn.submit")}
        </button>
      </form>
      <Preferences {...preferences} />
    </main>
  );
}
