import { useEffect, useState } from "preact/hooks";
import { useParams } from "wouter-preact";
import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { Broken, Loading } from "../../parts/States";
import { loadProject, useProject } from "../../project";
import { Labeling } from "../../session/labeling";
import { outbox } from "../../session/outboxes";
import { LabelPage } from "./LabelPage";
import "./answer.css";
import "./label.css";
import "./responses.css";
import "./writing.css";

export default function Label() {
  const { slug = "" } = useParams();
  const project = useProject(slug);
  const [labeling, setLabeling] = useState<Labeling | null>(null);
  const box = outbox.value;
  useTitle(t("nav.label"), project?.data?.name);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another person has another outbox.
  useEffect(() => {
    if (!box) return;
    const sitting = new Labeling(slug, box);
    const leave = sitting.start();
    setLabeling(sitting);
    return () => {
      setLabeling(null);
      leave();
    };
  }, [slug, box]);

  if (project?.error && !project.data) {
    return <Broken whole error={project.error} retry={() => loadProject(slug)} />;
  }
  if (!project?.data || !labeling || !box) return <Loading page={t("nav.label")} />;
  return <LabelPage project={project.data} labeling={labeling} outbox={box} />;
}
