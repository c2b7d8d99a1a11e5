import type { ComponentType } from "preact";
import { Link, useLocation, useParams, useSearch } from "wouter-preact";
import { ApiError } from "../../api/client";
import type { Project } from "../../api/types";
import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { Broken, Loading } from "../../parts/States";
import { loadProject, useProject } from "../../project";
import { AskedSettings } from "./AskedSettings";
import { GeneralSettings } from "./GeneralSettings";
import { GuidelinesSettings } from "./GuidelinesSettings";
import { ModelSettings } from "./ModelSettings";
import { PeopleSettings } from "./PeopleSettings";
import { TrailSettings } from "./TrailSettings";
import { WritingSettings } from "./WritingSettings";
import "./settings.css";

export interface SettingsProps {
  project: Project;
}

const PARTS = {
  general: GeneralSettings,
  guidelines: GuidelinesSettings,
  people: PeopleSettings,
  asked: AskedSettings,
  models: ModelSettings,
  writing: WritingSettings,
  trail: TrailSettings,
} satisfies Record<string, ComponentType<SettingsProps>>;
type Part = keyof typeof PARTS;

export default function Settings() {
  const { slug = "" } = useParams();
  const state = useProject(slug);
  const [path] = useLocation();
  const asked = new URLSearchParams(useSearch()).get("part");
  const part: Part = asked !== null && asked in PARTS ? (asked as Part) : "general";
  useTitle(t(`settings.${part}.title`), state?.data?.name);

  if (state?.error && !state.data) {
    return <Broken whole error={state.error} retry={() => loadProject(slug)} />;
  }
  if (!state?.data) return <Loading />;
  if (state.data.role !== "manager") {
    return <Broken whole error={new ApiError(403, "role", t("settings.managers_only"))} />;
  }
  const Body = PARTS[part];
  return (
    <div class="page settings">
      <h1 class="visually-hidden">{t("nav.settings")}</h1>
      <nav class="settings-nav" aria-label={t("nav.settings")}>
        {(Object.keys(PARTS) as Part[]).map((name) => (
          <Link
            key={name}
            href={`${path}?part=${name}`}
            aria-current={name === part ? "page" : undefined}
          >
            {t(`settings.${name}.title`)}
          </Link>
        ))}
      </nav>
      <div class="settings-body">
        <Body key={part} project={state.data} />
      </div>
    </div>
  );
}
