/** What became of what was asked for last, said where everybody sees and hears it. */
import { type ComponentChildren, createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { after } from "../browser/clock.ts";
import { useTell } from "../surroundings.tsx";

interface Notice {
  readonly text: string;
  readonly isBad: boolean;
}
export type Notify = (text: string, isBad?: boolean) => void;

const NoticeContext = createContext<Notify>(() => undefined);
export const useNotify = (): Notify => useContext(NoticeContext);

const SHOWN_MS = 8_000;

export function Notices({ children }: { readonly children: ComponentChildren }) {
  const tell = useTell();
  const [notice, setNotice] = useState<Notice | null>(null);
  const notify = useCallback<Notify>((text, isBad = false) => setNotice({ text, isBad }), []);
  // What went wrong stays until it is read.
  useEffect(() => (notice === null || notice.isBad ? undefined : after(SHOWN_MS, () => setNotice(null))), [notice]);
  return (
    <NoticeContext.Provider value={notify}>
      {children}
      <div class={`toast${notice?.isBad ? " bad" : ""}`} role="status" hidden={notice === null}>
        <span>{notice?.text}</span>
        <button type="button" class="small" onClick={() => setNotice(null)}>
          {tell("frame.close")}
        </button>
      </div>
    </NoticeContext.Provider>
  );
}
