import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { asWritten } from "./asWritten";
import { needsPreparing, prepare, renderMarkdown } from "./markdown";
import "./markdown.css";

interface Props {
  text: string;
  /** Shows the text exactly as written. */
  plain?: boolean;
  /** A document joins single line breaks; a response keeps them. */
  kind?: "response" | "document";
}

/** A text, set like a book. */
export function Markdown({ text, plain = false, kind = "response" }: Props) {
  const [prepared, setPrepared] = useState(0);

  useEffect(() => {
    if (plain || !needsPreparing([text])) return;
    let there = true;
    prepare([text]).then(() => there && setPrepared((times) => times + 1));
    return () => {
      there = false;
    };
  }, [text, plain]);

  const element = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was prepared is drawn anew.
  useLayoutEffect(() => {
    element.current?.replaceChildren(plain ? asWritten(text) : renderMarkdown(text, kind));
  }, [text, plain, kind, prepared]);

  return <div ref={element} class="prose" dir="auto" />;
}
