import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Run } from "../../api/models";
import { useResource } from "../../api/resource";
import { t } from "../../i18n";
import { ErrorNotice } from "../../parts/Notice";
import { isActive } from "../circle/state";

const EVERY_SECONDS = 3;

/** The end of what the script printed; open at once where the run failed. */
export function Log({ run }: { run: Run }) {
  const [open, setOpen] = useState(run.state === "failed");
  return (
    <details
      class="log"
      open={open}
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>{t("run.log")}</summary>
      {open && <LogText run={run} />}
    </details>
  );
}

function LogText({ run }: { run: Run }) {
  const log = useResource<{ text: string }>(
    `runs/${run.id}/log/`,
    isActive(run) ? EVERY_SECONDS : 0,
  );
  const { reload } = log;
  const ended = !isActive(run);
  useEffect(() => {
    if (ended) reload();
  }, [ended, reload]);

  // It follows its end until somebody scrolls up to read.
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  });

  return (
    <>
      <ErrorNotice error={log.error} />
      {log.data && !log.data.text && <p class="quiet">{t("run.no_log")}</p>}
      {log.data?.text && (
        <pre
          ref={box}
          class="log-text"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
          tabIndex={0}
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
            follows.current = scrollTop + clientHeight > scrollHeight - 8;
          }}
        >
          {log.data.text}
        </pre>
      )}
    </>
  );
}
