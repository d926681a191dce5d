/** Block, throttle, observe, allow, release: one click each; only what shuts people out asks first. */
import { ChangeButton } from "../../parts/change.tsx";
import { useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

export type Scope = "address" | "network" | "account";
export const ACTIONS = ["block", "throttle", "observe", "allow"] as const;
export type Action = (typeof ACTIONS)[number];

interface DecideButtonsProps {
  readonly scope: Scope;
  readonly value: string;
  /** What stands now; `null`: nothing. */
  readonly standing: Action | null;
  readonly onDecided: () => void;
}

export function DecideButtons({ scope, value, standing, onDecided }: DecideButtonsProps) {
  const tell = useTell();
  const path = `safe-protector/decisions/scope/${scope}/value/${encodeURIComponent(value)}${standing === "allow" ? "?action=allow" : ""}`;
  return (
    <div class="row-actions">
      {standing !== null && (
        <ChangeButton
          {...{ label: tell("protection.release"), of: value, method: "DELETE", path, onDone: onDecided, question: null }}
          done={tell("protection.released", { value })}
        />
      )}
      {ACTIONS.filter((action) => action !== standing).map((action) => (
        <ChangeButton
          key={action}
          {...{ label: tell(`action.${action}`), of: value, method: "POST", path: "safe-protector/decisions", onDone: onDecided }}
          body={{ scope, value, action }}
          done={tell("protection.decided", { value, action: wordOf(tell, "action", action) })}
          question={action === "block" ? tell("protection.blockAsk", { value }) : null}
          isDangerous={action === "block"}
        />
      ))}
    </div>
  );
}
