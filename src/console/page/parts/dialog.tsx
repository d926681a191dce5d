/** Questions and forms before the page. The browser keeps the focus in them, and Escape closes them. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useTell } from "../surroundings.tsx";

interface DialogProps {
  readonly title: string;
  readonly submitText: string;
  readonly isDangerous?: boolean;
  /** Resolves with what went wrong; `null`: it is done, and the dialog closes. */
  readonly onSubmit: (form: FormData) => Promise<string | null>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

export function Dialog({ title, submitText, isDangerous = false, onSubmit, onClose, children }: DialogProps) {
  const tell = useTell();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // A question can stand within a form.
    event.stopPropagation();
    setBusy(true);
    const wrong = await onSubmit(new FormData(event.currentTarget as HTMLFormElement));
    setBusy(false);
    setFault(wrong);
    // The browser gives the focus back to where it was.
    if (wrong === null) dialog.current?.close();
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      {/* What was wrong may be right by now. */}
      <form onSubmit={(event) => void submit(event)} onInput={() => setFault(null)}>
        <h2 id={id}>{title}</h2>
        {children}
        <p class="fault" role="alert">
          {fault}
        </p>
        <p class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {tell("frame.cancel")}
          </button>
          <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={isBusy}>
            {submitText}
          </button>
        </p>
      </form>
    </dialog>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "number" | "datetime-local" | "search";
  readonly value?: string | number;
  readonly hint?: string;
  readonly isOptional?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | "any";
  readonly list?: string;
  readonly isReadOnly?: boolean;
}

export function Field({ name, label, type = "text", value, hint, isOptional = false, isReadOnly = false, ...rest }: FieldProps) {
  const id = useId();
  return (
    <label class="field">
      <span>{label}</span>
      <input
        {...rest}
        {...{ name, type, autocomplete: "off" }}
        defaultValue={value === undefined ? "" : String(value)}
        required={!isOptional}
        readOnly={isReadOnly}
        aria-describedby={hint === undefined ? undefined : id}
      />
      {hint !== undefined && <small id={id}>{hint}</small>}
    </label>
  );
}

interface SelectProps<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly value?: T;
  readonly onChange?: (value: T) => void;
}

export function Select<T extends string>({ name, label, options, value, onChange }: SelectProps<T>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name} onChange={(event) => onChange?.(event.currentTarget.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}
