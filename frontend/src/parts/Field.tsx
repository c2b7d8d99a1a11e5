import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Control {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface Props {
  label: string;
  help?: ComponentChildren;
  error?: string;
  /** Draws the control, given the attributes that tie it to its label and its messages. */
  children: (control: Control) => ComponentChildren;
}

/** A label, its control, and below it what helps or what is wrong. */
export function Field({ label, help, error, children }: Props) {
  const id = useId();
  const message = error || help ? `${id}-message` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": message, "aria-invalid": error ? true : undefined })}
      {message && (
        <p id={message} class={error ? "field-error" : "field-help"}>
          {error || help}
        </p>
      )}
    </div>
  );
}
