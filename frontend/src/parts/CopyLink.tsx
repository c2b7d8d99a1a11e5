import { useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Button } from "./Button";

/** A link to hand over, and a button that puts it on the clipboard. */
export function CopyLink({ label, link }: { label: string; link: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      // Without a secure context there is no clipboard: the text stays selected, ready to copy.
      setCopied(false);
    }
  };

  return (
    <div class="copy-link">
      <input
        ref={input}
        readOnly
        value={link}
        aria-label={label}
        onFocus={() => input.current?.select()}
      />
      <Button onClick={copy}>{copied ? t("common.copied") : t("common.copy")}</Button>
    </div>
  );
}
