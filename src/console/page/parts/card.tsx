/** A section of a page, under its own heading. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface CardProps {
  readonly title: string;
  readonly class?: string;
  /** What stands beside the heading. */
  readonly beside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Card({ title, beside, children, class: name = "" }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${name}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}
