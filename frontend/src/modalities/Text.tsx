import { Markdown } from "../render/Markdown";
import type { MessagesProps } from ".";

/** One text; who said it does not matter. */
export function Text({ messages, plain }: MessagesProps) {
  return <Markdown text={messages.map(({ content }) => content).join("\n\n")} plain={plain} />;
}
