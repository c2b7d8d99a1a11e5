import { Link, useLocation } from "wouter-preact";
import { session, signOut } from "../account";
import { useResource } from "../api/resource";
import type { Project, ProjectSummary, Results, User } from "../api/types";
import { t } from "../i18n";
import { setTheme, THEMES, theme } from "../theme";
import { Menu } from "./Menu";

export function ProjectMenu({ current }: { current: Project | null }) {
  const label = current?.name ?? t("shell.projects");
  return (
    <Menu label={<span class="menu-label">{label}</span>} name={t("shell.switch", { name: label })}>
      {(close) => <ProjectLinks close={close} current={current} />}
    </Menu>
  );
}

function ProjectLinks({ close, current }: { close: () => void; current: Project | null }) {
  const { data } = useResource<Results<ProjectSummary>>("projects/");
  return (
    <ul class="menu-list">
      {data?.results.map(({ slug, name, role }) => (
        <li key={slug}>
          <Link
            href={`/p/${slug}/${role === "labeler" ? "label" : "circle"}`}
            onClick={close}
            aria-current={slug === current?.slug ? "true" : undefined}
          >
            {name}
          </Link>
        </li>
      ))}
      {current && current.talk_replies > 0 && (
        <>
          <li class="menu-rule">
            <Link href={`/p/${current.slug}/label`} onClick={close}>
              {t("nav.label")}
            </Link>
          </li>
          <li>
            <Link href={`/p/${current.slug}/talk`} onClick={close}>
              {t("nav.talk")}
            </Link>
          </li>
        </>
      )}
      <li class="menu-rule">
        <Link href="/" onClick={close}>
          {t("shell.all_projects")}
        </Link>
      </li>
      {session.value?.user?.can_create_projects && (
        <li>
          <Link href="/new" onClick={close}>
            {t("shell.new_project")}
          </Link>
        </li>
      )}
    </ul>
  );
}

export function AccountMenu({ user }: { user: User }) {
  const [, navigate] = useLocation();
  const leave = async (close: () => void) => {
    close();
    await signOut();
    navigate("/sign-in");
  };
  return (
    <Menu
      align="end"
      label={<span class="menu-label">{user.username}</span>}
      name={t("shell.account_of", { name: user.username })}
    >
      {(close) => (
        <ul class="menu-list">
          <li>
            <Link href="/account" onClick={close}>
              {t("shell.account")}
            </Link>
          </li>
          {user.is_staff && (
            <li>
              <a href="/admin/">{t("shell.admin")}</a>
            </li>
          )}
          <li class="menu-rule">
            <fieldset class="segments" aria-label={t("shell.theme")}>
              {THEMES.map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={theme.value === name}
                  onClick={() => setTheme(name)}
                >
                  {t(`theme.${name}`)}
                </button>
              ))}
            </fieldset>
          </li>
          <li class="menu-rule">
            <button type="button" onClick={() => leave(close)}>
              {t("shell.sign_out")}
            </button>
          </li>
        </ul>
      )}
    </Menu>
  );
}
