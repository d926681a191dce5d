/** A change that an operator makes: it asks first where it is dangerous, says what became of it, and has what is shown read again. */
import { useCallback, useState } from "preact/hooks";
import { useAsk, useTell } from "../surroundings.tsx";
import { Dialog } from "./dialog.tsx";
import { useNotify } from "./notices.tsx";

type Method = "POST" | "PUT" | "DELETE";

/** @returns what went wrong, as a sentence; `null`: it is done */
export function useChange(): (method: Method, path: string, body: unknown, done: string) => Promise<string | null> {
  const ask = useAsk();
  const tell = useTell();
  const notify = useNotify();
  return useCallback(
    async (method, path, body, done) => {
      const asked = await ask(method, path, body);
      if (asked.kind === "answered") {
        notify(done);
        return null;
      }
      return asked.kind === "refused" ? tell("frame.failed", { why: asked.detail }) : tell("signIn.over");
    },
    [ask, tell, notify],
  );
}

interface ChangeButtonProps {
  readonly label: string;
  /** For who does not see what stands beside the button. */
  readonly of?: string;
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly done: string;
  /** What is asked before it is done; `null`: it is done at once. */
  readonly question: string | null;
  readonly isDangerous?: boolean;
  readonly onDone: () => unknown;
}

export function ChangeButton({ label, of, method, path, body, done, question, isDangerous = false, onDone }: ChangeButtonProps) {
  const change = useChange();
  const notify = useNotify();
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const make = async (): Promise<string | null> => {
    setBusy(true);
    const fault = await change(method, path, body, done);
    setBusy(false);
    if (fault === null) onDone();
    return fault;
  };
  const click = async (): Promise<void> => {
    if (question !== null) {
      setAsking(true);
      return;
    }
    const fault = await make();
    if (fault !== null) notify(fault, true);
  };
  return (
    <>
      <button type="button" class={`small${isDangerous ? " danger" : ""}`} disabled={isBusy} onClick={() => void click()}>
        {label}
        {of !== undefined && <span class="unseen"> {of}</span>}
      </button>
      {isAsking && (
        <Dialog title={question ?? ""} submitText={label} isDangerous={isDangerous} onSubmit={make} onClose={() => setAsking(false)} />
      )}
    </>
  );
}
