import type { ComponentChildren } from "preact";
import { ApiError, GarbledError, NetworkError } from "../api/client";
import { t, tIn } from "../i18n";

interface Props {
  kind?: "info" | "warn" | "stop";
  children: ComponentChildren;
}

/** A sentence that stands beside the work: what happened, what was kept, what to do. */
export function Notice({ kind = "info", children }: Props) {
  return (
    <div class={`notice ${kind}`} role={kind === "stop" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** The sentence for a failure, with what to do when that is known: ours where labelers meet it, in
 * their language, else the server's. */
export function sentence(error: Error): string {
  if (error instanceof ApiError) {
    return tIn("refused", error.code, [error.message, error.fix].filter(Boolean).join(" "));
  }
  if (error instanceof NetworkError) return t("error.network");
  if (error instanceof GarbledError) return t("error.garbled", { status: error.status });
  return t("error.page", { message: error.message });
}

export function ErrorNotice({ error }: { error: Error | null }) {
  return error && <Notice kind="stop">{sentence(error)}</Notice>;
}
