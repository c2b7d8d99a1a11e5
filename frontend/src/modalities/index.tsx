/** How what is compared is drawn. One literal dict, with the server's names. */

import type { ComponentType } from "preact";
import type { Message } from "../api/types";
import { Chat } from "./Chat";
import { Text } from "./Text";

export interface MessagesProps {
  messages: Message[];
  plain: boolean;
}

const MODALITIES: Record<string, ComponentType<MessagesProps>> = { text: Text, chat: Chat };

export function modality(name: string): ComponentType<MessagesProps> {
  return MODALITIES[name] ?? Chat;
}
