import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  title: string;
  about?: ComponentChildren;
  children: ComponentChildren;
}

/** A part of a page under its heading, which an address can point at. */
export function Section({ title, about, children }: Props) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {about && <p class="quiet">{about}</p>}
      {children}
    </section>
  );
}
