import { type ComponentChildren, render } from "preact";
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { session } from "../account";
import type { Project } from "../api/types";
import { t } from "../i18n";
import type { Keymap } from "../keymap/keymap";
import { useKeymap } from "../keymap/useKeymap";
import { project, useProject } from "../project";
import { AccountMenu, ProjectMenu } from "./BarMenus";
import { HelpOverlay } from "./HelpOverlay";

const BAR_SLOT = "bar-slot";
const shellKeys = (): Keymap<"help"> => [
  { action: "help", keys: ["?"], label: t("keys.help"), group: t("keys.everywhere") },
];

/** The top bar, and below it the page. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [path] = useLocation();
  const slug = /^\/p\/([^/]+)/.exec(path)?.[1];
  useProject(session.value?.user ? slug : undefined);
  const [help, setHelp] = useState(false);
  useKeymap(useMemo(shellKeys, []), () => setHelp(true));
  const current = belongsToProject(path) ? (project.value?.data ?? null) : null;

  return (
    <div class="shell">
      <a class="skip-link" href="#main">
        {t("shell.skip")}
      </a>
      <header class="bar">
        <Link href="/" class="brand">
          Vibecheck
        </Link>
        {session.value?.user && <ProjectMenu current={current} />}
        {current?.simulated && <span class="tag">{t("shell.simulated")}</span>}
        {current && <ProjectNav project={current} path={path} />}
        <div id={BAR_SLOT} class="bar-slot" />
        <button
          type="button"
          class="help-button"
          aria-label={t("keys.help")}
          aria-keyshortcuts="?"
          onClick={() => setHelp(true)}
        >
          ?
        </button>
        {session.value?.user && <AccountMenu user={session.value.user} />}
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {help && <HelpOverlay onClose={() => setHelp(false)} />}
    </div>
  );
}

/** Draws its children at the right of the top bar. */
export function InBar({ children }: { children: ComponentChildren }) {
  useLayoutEffect(() => {
    const slot = document.getElementById(BAR_SLOT);
    if (slot) render(children, slot);
  });
  useLayoutEffect(() => {
    const slot = document.getElementById(BAR_SLOT);
    return () => {
      if (slot) render(null, slot);
    };
  }, []);
  return null;
}

/** Sets the title of the browser's tab. */
export function useTitle(...words: (string | undefined)[]): void {
  const title = [...words, "Vibecheck"].filter(Boolean).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Pages of one run, model or batch keep the bar of the project that one came from. */
function belongsToProject(path: string): boolean {
  return /^\/(p|runs|models|batches)\//.test(path);
}

const PAGES = [
  { page: "circle", role: "reviewer" },
  { page: "label", role: "labeler" },
  { page: "talk", role: "labeler" },
  { page: "runs", role: "reviewer" },
  { page: "models", role: "reviewer" },
  { page: "arena", role: "reviewer" },
  { page: "settings", role: "manager" },
] as const;
const ROLES = ["labeler", "reviewer", "manager"];

function ProjectNav({ project, path }: { project: Project; path: string }) {
  const { slug, role, talk_replies } = project;
  const shown = PAGES.filter(
    (page) =>
      ROLES.indexOf(role) >= ROLES.indexOf(page.role) && (page.page !== "talk" || talk_replies > 0),
  );
  if (shown.length === 1) return null;
  return (
    <nav class="nav" aria-label={t("shell.project_pages")}>
      {shown.map(({ page }) => (
        <Link
          key={page}
          href={`/p/${slug}/${page}`}
          aria-current={path === `/p/${slug}/${page}` ? "page" : undefined}
        >
          {t(`nav.${page}`)}
        </Link>
      ))}
    </nav>
  );
}
