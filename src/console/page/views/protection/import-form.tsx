/** A list of addresses or accounts, from a file or by hand, about all of whom the same is decided. */
import { useId } from "preact/hooks";
import { Dialog, Field, Select } from "../../parts/dialog.tsx";
import { useAsk, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";
import { ACTIONS } from "./decide-buttons.tsx";

interface ImportAnswer {
  readonly lines: number;
  readonly added: number;
  readonly replaced: number;
  readonly kept: number;
  readonly bad: number;
  /** The first of them. */
  readonly badLines: readonly { readonly line: number; readonly detail: string }[];
}

/** What has become of a list, with what stands on the lines that were passed over. */
export interface Imported extends Omit<ImportAnswer, "badLines"> {
  readonly badLines: readonly { readonly line: number; readonly text: string }[];
}

/** A longer line is shown by its beginning. */
const LINE_CHARS_SHOWN = 80;

export function ImportForm({ onDone, onClose }: { readonly onDone: (imported: Imported) => void; readonly onClose: () => void }) {
  const tell = useTell();
  const ask = useAsk();
  const linesId = useId();
  const take = async (form: FormData): Promise<string | null> => {
    const textOf = (name: string): string => String(form.get(name) ?? "").trim();
    const file = form.get("file");
    const hasFile = file instanceof File && file.size > 0;
    const lines = String(form.get("lines") ?? "");
    if (!hasFile && lines.trim() === "") return tell("protection.importNothing");
    if (hasFile && lines.trim() !== "") return tell("protection.importBoth");
    const list = hasFile ? file : new Blob([lines]);
    const query = new URLSearchParams({ accounts: textOf("accounts"), action: textOf("action") });
    if (textOf("minutes") !== "") query.set("durationSeconds", String(Math.round(Number(textOf("minutes")) * 60)));
    if (textOf("note") !== "") query.set("note", textOf("note"));
    const asked = await ask<ImportAnswer>("POST", `safe-protector/decisions/import?${query}`, list);
    if (asked.kind !== "answered") return asked.kind === "refused" ? tell("frame.failed", { why: asked.detail }) : tell("signIn.over");
    const { badLines, ...counts } = asked.value;
    const written = badLines.length > 0 ? (await list.text()).split("\n") : [];
    const shown = badLines.map(({ line }) => ({ line, text: (written[line - 1] ?? "").trim().slice(0, LINE_CHARS_SHOWN) }));
    onDone({ ...counts, badLines: shown });
    return null;
  };
  const kinds = [
    { value: "false", label: tell("protection.importAddresses") },
    { value: "true", label: tell("protection.importAccounts") },
  ];
  return (
    <Dialog title={tell("protection.import")} submitText={tell("protection.importSubmit")} onSubmit={take} onClose={onClose}>
      <Select name="accounts" label={tell("protection.importWhat")} options={kinds} />
      <Select
        name="action"
        label={tell("protection.action")}
        options={ACTIONS.map((action) => ({ value: action, label: wordOf(tell, "action", action) }))}
      />
      <label class="field">
        <span>{tell("protection.importFile")}</span>
        <input type="file" name="file" accept="text/plain,.txt,.csv,.list,.netset,.ipset" />
      </label>
      <label class="field">
        <span>{tell("protection.importLines")}</span>
        <textarea name="lines" rows={6} class="code" autocomplete="off" spellcheck={false} aria-describedby={linesId} />
        <small id={linesId}>{tell("protection.importHint")}</small>
      </label>
      <Field
        {...{ name: "minutes", type: "number", min: 1, step: 1, label: tell("protection.minutes"), hint: tell("protection.minutesHint") }}
        isOptional
      />
      <Field name="note" label={tell("protection.note")} isOptional />
    </Dialog>
  );
}
