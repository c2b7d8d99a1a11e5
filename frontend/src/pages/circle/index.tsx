import { useParams } from "wouter-preact";
import type { Circle, RunDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Role } from "../../api/types";
import { t } from "../../i18n";
import { Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Loaded } from "../../parts/States";
import { useProject } from "../../project";
import { Actions } from "./Actions";
import { Alarms } from "./Alarms";
import "./circle.css";
import { Ring } from "./Ring";
import { Rounds } from "./Rounds";
import { Story } from "./Story";
import { activeRun } from "./state";
import { DeafQueues, WorkersLine } from "./Workers";

const EVERY_SECONDS = 2;

export default function CirclePage() {
  const { slug = "" } = useParams();
  const project = useProject(slug)?.data;
  const circle = useResource<Circle>(`projects/${slug}/circle/`, EVERY_SECONDS);
  useTitle(t("nav.circle"), project?.name);
  return (
    <div class="page circle">
      <h1 class="visually-hidden">{t("circle.title", { name: project?.name ?? slug })}</h1>
      <Loaded resource={circle}>
        {(data) => (
          <Turning circle={data} role={project?.role ?? "reviewer"} reload={circle.reload} />
        )}
      </Loaded>
    </div>
  );
}

interface Props {
  circle: Circle;
  role: Role;
  reload: () => Promise<void>;
}

function Turning({ circle, role, reload }: Props) {
  const { project, waits_sentence } = circle;
  const tuning = activeRun(circle, "policy");
  const run = useResource<RunDetail>(tuning ? `runs/${tuning.id}/` : null, EVERY_SECONDS);
  const rests = project.state !== "open";
  return (
    <>
      {project.simulated && <Notice>{t("circle.simulated")}</Notice>}
      {rests && <Notice kind="warn">{t(`circle.rests.${project.state as "draft"}`)}</Notice>}
      <Alarms slug={project.slug} role={role} />
      <DeafQueues circle={circle} />
      <Ring circle={circle} role={role} kl={run.data?.kl ?? null}>
        <p class="ring-wait" role="status">
          {waits_sentence}
        </p>
        <Actions circle={circle} role={role} reload={reload} />
      </Ring>
      <div class="circle-below">
        <Rounds rounds={circle.rounds} />
        <WorkersLine circle={circle} />
      </div>
      <Story story={circle.story} />
    </>
  );
}
