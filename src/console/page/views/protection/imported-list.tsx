/** What has become of a list that was imported. */
import { Card } from "../../parts/card.tsx";
import { useFormats, useTell } from "../../surroundings.tsx";
import type { Imported } from "./import-form.tsx";

export function ImportedList({ imported, onClose }: { readonly imported: Imported; readonly onClose: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const { lines, added, replaced, kept, bad, badLines } = imported;
  const counts = {
    lines: formats.count(lines),
    added: formats.count(added),
    replaced: formats.count(replaced),
    kept: formats.count(kept),
  };
  const close = (
    <button type="button" class="small" onClick={onClose}>
      {tell("frame.close")}
    </button>
  );
  return (
    <Card title={tell("protection.imported")} beside={close} class="imported">
      <p class="imported-lead">{tell("protection.importedCounts", counts)}</p>
      {bad > 0 && (
        <>
          <p class="notice">{tell("protection.importedBad", { count: formats.count(bad) })}</p>
          <ul class="bad-lines">
            {badLines.map(({ line, text }) => (
              <li key={line}>
                <span class="quiet">{tell("protection.importedLine", { line })}</span> <code>{text}</code>
              </li>
            ))}
            {bad > badLines.length && (
              <li class="quiet">{tell("protection.importedMore", { count: formats.count(bad - badLines.length) })}</li>
            )}
          </ul>
        </>
      )}
    </Card>
  );
}
