import "./progress.css";

interface Props {
  /** From 0 to 1. */
  share: number;
  label?: string;
}

/** A thin bar; the words beside it say the same. */
export function Progress({ share, label }: Props) {
  const whole = Math.round(100 * Math.min(1, Math.max(0, share)));
  return (
    <progress class="progress" value={whole} max={100} aria-label={label} aria-hidden={!label}>
      {whole} %
    </progress>
  );
}
