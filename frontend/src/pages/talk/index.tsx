import { useEffect, useState } from "preact/hooks";
import { useParams } from "wouter-preact";
import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { Broken, Loading } from "../../parts/States";
import { loadProject, useProject } from "../../project";
import { outbox } from "../../session/outboxes";
import { Talking } from "../../session/talking";
import { TalkPage } from "./TalkPage";
import "../label/answer.css";
import "../label/label.css";
import "../label/responses.css";
import "../label/writing.css";
import "./talk.css";

export default function Talk() {
  const { slug = "" } = useParams();
  const project = useProject(slug);
  const [talking, setTalking] = useState<Talking | null>(null);
  const box = outbox.value;
  useTitle(t("nav.talk"), project?.data?.name);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another person has another outbox.
  useEffect(() => {
    if (!box) return;
    const sitting = new Talking(slug, box);
    const leave = sitting.start();
    setTalking(sitting);
    return () => {
      setTalking(null);
      leave();
    };
  }, [slug, box]);

  if (project?.error && !project.data) {
    return <Broken error={project.error} retry={() => loadProject(slug)} />;
  }
  if (!project?.data || !talking || !box) return <Loading page={t("nav.talk")} />;
  return <TalkPage project={project.data} talking={talking} outbox={box} />;
}
