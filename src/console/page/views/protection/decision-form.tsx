/** A decision by hand. */
import { useChange } from "../../parts/change.tsx";
import { Dialog, Field, Select } from "../../parts/dialog.tsx";
import { useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";
import { ACTIONS } from "./decide-buttons.tsx";

export const SCOPES = ["address", "network", "account"] as const;

export function DecisionForm({ onDone, onClose }: { readonly onDone: () => void; readonly onClose: () => void }) {
  const tell = useTell();
  const change = useChange();
  const save = async (form: FormData): Promise<string | null> => {
    const textOf = (name: string): string => String(form.get(name) ?? "").trim();
    const [value, action, minutes, note] = [textOf("value"), textOf("action"), textOf("minutes"), textOf("note")];
    const decision = {
      ...{ scope: textOf("scope"), value, action },
      ...(minutes !== "" && { durationSeconds: Math.round(Number(minutes) * 60) }),
      ...(note !== "" && { note }),
    };
    const done = tell("protection.decided", { value, action: wordOf(tell, "action", action) });
    const fault = await change("POST", "safe-protector/decisions", decision, done);
    if (fault === null) onDone();
    return fault;
  };
  const options = <T extends string>(group: string, words: readonly T[]) =>
    words.map((word) => ({ value: word, label: wordOf(tell, group, word) }));
  return (
    <Dialog title={tell("protection.add")} submitText={tell("frame.save")} onSubmit={save} onClose={onClose}>
      <div class="fields">
        <Select name="scope" label={tell("protection.scope")} options={options("scope", SCOPES)} />
        <Select name="action" label={tell("protection.action")} options={options("action", ACTIONS)} />
      </div>
      <Field name="value" label={tell("protection.value")} />
      <Field
        {...{ name: "minutes", type: "number", min: 1, step: 1, label: tell("protection.minutes"), hint: tell("protection.minutesHint") }}
        isOptional
      />
      <Field name="note" label={tell("protection.note")} isOptional />
    </Dialog>
  );
}
