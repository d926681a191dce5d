/** What is looked for, in every combination. */
import { Field, Select } from "../../parts/dialog.tsx";
import { useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";
import { isoOfLocal, localOf } from "../../times.ts";

export const FIELDS = ["traceId", "userID", "clientIP", "goodsSKU", "reason", "step", "from", "until"] as const;

const STEPS = ["throttle", "protect", "policy", "inventory", "cart"] as const;
const REASONS = [
  ...["held", "throttled", "blacklisted", "ended", "not-started", "paused", "level-too-low", "limit-reached", "unknown-goods", "sold-out"],
  ...["protect-unavailable", "policy-unavailable", "inventory-unavailable", "cart-unavailable"],
  ...["malformed", "unauthorized", "not-found", "method-not-allowed", "too-large", "refused", "failed"],
] as const;

interface SearchFormProps {
  readonly asked: URLSearchParams;
  readonly onSearch: (query: URLSearchParams) => void;
}

export function SearchForm({ asked, onSearch }: SearchFormProps) {
  const tell = useTell();
  const options = (group: string, words: readonly string[]) => [
    { value: "", label: tell("trace.any") },
    ...words.map((word) => ({ value: word, label: wordOf(tell, group, word) })),
  ];
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const query = new URLSearchParams();
    for (const name of FIELDS) {
      const value = String(form.get(name) ?? "").trim();
      if (value !== "") query.set(name, name === "from" || name === "until" ? String(Date.parse(isoOfLocal(value))) : value);
    }
    onSearch(query);
  };
  const timeOf = (name: "from" | "until"): string => {
    const at = Number(asked.get(name) ?? "");
    return at > 0 ? localOf(at) : "";
  };
  return (
    <search>
      <form class="search-bar" onSubmit={search}>
        <Field name="userID" type="search" label={tell("trace.userID")} value={asked.get("userID") ?? ""} isOptional />
        <Field name="clientIP" type="search" label={tell("trace.clientIP")} value={asked.get("clientIP") ?? ""} isOptional />
        <Field name="traceId" type="search" label={tell("trace.traceId")} value={asked.get("traceId") ?? ""} isOptional />
        <Field name="goodsSKU" type="search" label={tell("trace.goodsSKU")} value={asked.get("goodsSKU") ?? ""} isOptional />
        <Select name="reason" label={tell("trace.reason")} value={asked.get("reason") ?? ""} options={options("reason", REASONS)} />
        <Select name="step" label={tell("trace.step")} value={asked.get("step") ?? ""} options={options("step", STEPS)} />
        <Field name="from" type="datetime-local" step={1} label={tell("trace.from")} value={timeOf("from")} isOptional />
        <Field name="until" type="datetime-local" step={1} label={tell("trace.until")} value={timeOf("until")} isOptional />
        <button type="submit" class="primary">
          {tell("trace.search")}
        </button>
      </form>
    </search>
  );
}
