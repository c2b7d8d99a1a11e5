import { useEffect } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { session } from "../../account";
import { useResource } from "../../api/resource";
import type { ProjectSummary, Results } from "../../api/types";
import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { Empty, Loaded } from "../../parts/States";
import { project } from "../../project";
import "./projects.css";

export default function Projects() {
  useTitle(t("nav.projects"));
  const projects = useResource<Results<ProjectSummary>>("projects/", 30);
  useStraightToWork(projects.data?.results);
  const mayCreate = session.value?.user?.can_create_projects;

  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.projects")}</h1>
        {mayCreate && (
          <Link class="button primary" href="/new">
            {t("shell.new_project")}
          </Link>
        )}
      </div>
      <Loaded resource={projects}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty title={t("projects.none_title")}>
              <p class="quiet">{mayCreate ? t("projects.none_create") : t("projects.none")}</p>
            </Empty>
          ) : (
            <ul class="projects">
              {results.map((row) => (
                <ProjectRow key={row.slug} row={row} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  );
}

function ProjectRow({ row }: { row: ProjectSummary }) {
  const { slug, name, state, role, simulated, open, labels, mine } = row;
  const home = role === "labeler" ? "label" : "circle";
  return (
    <li class="project-row">
      <Link class="project-name" href={`/p/${slug}/${home}`}>
        {name}
      </Link>
      <span class="project-tags">
        <span class={state === "paused" ? "tag warn" : "tag"}>{t(`state.${state}`)}</span>
        {simulated && <span class="tag">{t("shell.simulated")}</span>}
        <span class="quiet">{t(`role.${role}`)}</span>
      </span>
      <span class="project-counts quiet">
        {role !== "labeler" && <span>{t("projects.labels", { count: labels })}</span>}
        <span>{t("projects.mine", { count: mine })}</span>
        <span>{t("projects.open", { count: open })}</span>
      </span>
      {state === "open" && !simulated && (
        <Link class="button" href={`/p/${slug}/label`}>
          {t("nav.label")}
        </Link>
      )}
    </li>
  );
}

/** A labeler with one open project lands on its label page; whoever comes back from it stays. */
function useStraightToWork(projects: ProjectSummary[] | undefined) {
  const [, navigate] = useLocation();
  useEffect(() => {
    if (!projects || project.value) return;
    const open = projects.filter(({ state, simulated }) => state === "open" && !simulated);
    const onlyLabels = projects.every(({ role }) => role === "labeler");
    if (onlyLabels && open.length === 1) navigate(`/p/${open[0]?.slug}/label`, { replace: true });
  }, [projects, navigate]);
}
