import { tIn } from "../i18n";
import { Markdown } from "../render/Markdown";
import type { MessagesProps } from ".";

/** Turns of a conversation; a single one stands without its role. */
export function Chat({ messages, plain }: MessagesProps) {
  const only = messages.length === 1 ? messages[0] : undefined;
  if (only && only.role !== "system") return <Markdown text={only.content} plain={plain} />;
  return (
    <ol class="turns">
      {messages.map(({ role, content }, place) => (
        <li key={place} class={`turn ${role}`}>
          <span class="turn-role">{tIn("turn", role)}</span>
          <Markdown text={content} plain={plain} />
        </li>
      ))}
    </ol>
  );
}
