import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { NetworkError } from "../../api/client";
import { usePoll } from "../../api/resource";
import type { Assignment, Choice, Project } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { useKeymap } from "../../keymap/useKeymap";
import { Broken, Empty, Loading } from "../../parts/States";
import { FORMS, formFor } from "../../responses/forms";
import { moved } from "../../responses/ranking";
import type { Labeling } from "../../session/labeling";
import type { Outbox } from "../../session/outbox";
import { ActionBar } from "./ActionBar";
import { AlarmDialog } from "./AlarmDialog";
import { Finished } from "./Finished";
import { GuidelinesPanel } from "./GuidelinesPanel";
import { type LabelAction, labelKeymap } from "./keys";
import { Notices } from "./Notices";
import { Prompt } from "./Prompt";
import { Responses } from "./Responses";
import { Rewriting } from "./Rewriting";
import { SkipDialog } from "./SkipDialog";
import { SpanBar } from "./SpanBar";
import { Status } from "./Status";
import { useGuidelines } from "./useGuidelines";
import { useRewriting } from "./useRewriting";
import { useSpans } from "./useSpans";
import { WriteFirst } from "./WriteFirst";

export interface LabelProps {
  project: Project;
  labeling: Labeling;
}

export function LabelPage({ project, labeling, outbox }: LabelProps & { outbox: Outbox }) {
  const { loaded, error, finished } = labeling.state.value;
  const shown = labeling.shown.value;
  usePoll(() => labeling.serve(), shown === null ? 5 : 0);

  return (
    <>
      <Status labeling={labeling} outbox={outbox} />
      {shown ? (
        <Pair project={project} labeling={labeling} outbox={outbox} assignment={shown} />
      ) : error instanceof NetworkError ? (
        <Empty whole title={t("label.offline")}>
          <p>{t("label.offline_about", { count: outbox.waiting.value.length })}</p>
        </Empty>
      ) : error ? (
        <Broken whole error={error} retry={() => labeling.serve()} />
      ) : loaded && finished ? (
        <Finished labeling={labeling} outbox={outbox} project={project} />
      ) : (
        <Loading page={t("nav.label")} />
      )}
    </>
  );
}

interface PairProps extends LabelProps {
  outbox: Outbox;
  assignment: Assignment;
}

function Pair({ project, labeling, outbox, assignment }: PairProps) {
  const count = assignment.responses.length;
  const keymap = useMemo(() => labelKeymap(project, count), [project, count]);
  const [guidelines, setGuidelines] = useState(false);
  const [collapsed, setCollapsed] = useState(() => matchMedia("(max-width: 720px)").matches);
  const [plain, setPlain] = useState(false);
  const [comparing, setComparing] = useState(false);
  const [skipping, setSkipping] = useState(false);
  const [alarming, setAlarming] = useState(false);
  const [noting, setNoting] = useState(0);
  const [said, setSaid] = useState("");
  const page = useRef<HTMLDivElement>(null);
  const rewriting = useRewriting(labeling, assignment);
  const spans = useSpans({ page, project, labeling, assignment });
  const focus = (selector: string) => page.current?.querySelector<HTMLElement>(selector)?.focus();

  const choose = (choice: Choice, label: string) => {
    const { rationale } = labeling.state.value.draft;
    if (project.rationale_required && rationale.trim() === "") {
      if (labeling.hold(choice)) setNoting(noting + 1);
    } else if (labeling.answer(choice)) setSaid(label);
  };
  const rewrite = (place: number) => {
    spans.close();
    rewriting.open(place);
  };
  const closeRewriting = () => {
    rewriting.close();
    focus(".responses-scroll");
  };

  const act = (action: LabelAction) => {
    switch (action) {
      case "skip":
        return labeling.state.value.looking ? undefined : setSkipping(true);
      case "alarm":
        return setAlarming(true);
      case "undo":
        return void labeling.undo();
      case "earlier":
        return void labeling.look(1);
      case "later":
        return void labeling.look(-1);
      case "present":
        if (rewriting.place !== null) return closeRewriting();
        return labeling.state.value.looking ? labeling.close() : undefined;
      case "note":
        return setNoting(noting + 1);
      case "flags":
        return focusNext(page.current, ".flags");
      case "ratings":
        return focusNext(page.current, ".ratings");
      case "spans":
        return spans.begin();
      case "rewrite":
        return rewrite(rewriting.next());
      case "rank_up":
      case "rank_down": {
        const { position } = (document.activeElement as HTMLElement).dataset;
        const { tiers } = labeling.state.value.draft;
        return labeling.draft({
          tiers: moved(tiers, Number(position), action === "rank_up" ? -1 : 1),
        });
      }
      case "guidelines":
        return setGuidelines(!guidelines);
      case "collapse":
        return setCollapsed(!collapsed);
      case "plain":
        return setPlain(!plain);
      case "compare":
        return setComparing(!comparing);
      default: {
        const { tiers } = labeling.state.value.draft;
        const effect = FORMS[formFor(project, count)].press(action, tiers, count);
        if (effect && "tiers" in effect) labeling.draft(effect);
        else if (effect) choose(effect.choice, labelOf(keymap, action));
      }
    }
  };
  useKeymap(keymap, act, spans.picking === null);
  const versions = useGuidelines(project.slug, assignment.guidelines_version, () =>
    setGuidelines(true),
  );

  // The next pair starts at its top, and no button of the last one keeps the focus; before the next
  // key, for what that one opens stays open.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the pair that matters.
  useLayoutEffect(() => {
    setNoting(0);
    page.current?.querySelector(".responses-scroll")?.scrollTo(0, 0);
    page.current?.querySelector(".prompt-scroll")?.scrollTo(0, 0);
    focus(".responses-scroll");
  }, [assignment.key]);

  return (
    <div class="label" ref={page}>
      <h1 class="visually-hidden">{t("label.title", { name: project.name })}</h1>
      <p class="visually-hidden" role="status">
        {said && t("label.said", { what: said })}
      </p>
      <div class="label-work">
        <Prompt
          messages={assignment.prompt.messages}
          modality={project.modality}
          {...{ keymap, act, collapsed, plain, comparing, guidelines }}
        />
        {assignment.write_first ? (
          <WriteFirst {...{ labeling, assignment, keymap, act }} />
        ) : (
          <div class="label-responses">
            <Responses
              {...{ project, labeling, assignment, plain, comparing, keymap, act, rewrite }}
              covered={rewriting.place !== null}
            />
            {spans.picking && <SpanBar spans={spans} categories={project.span_categories} />}
            {rewriting.place !== null && (
              <Rewriting
                {...{ labeling, assignment, plain }}
                modality={project.modality}
                place={rewriting.place}
                turnTo={rewriting.open}
                onClose={closeRewriting}
              />
            )}
          </div>
        )}
        <Notices labeling={labeling} outbox={outbox} keymap={keymap} act={act} />
        {!assignment.write_first && (
          <ActionBar {...{ project, labeling, assignment, keymap, act, noting, choose }} />
        )}
      </div>
      {guidelines && (
        <GuidelinesPanel
          slug={project.slug}
          versions={versions}
          hint={hintFor(keymap, "guidelines")}
          onClose={() => setGuidelines(false)}
        />
      )}
      {alarming && (
        <AlarmDialog
          slug={project.slug}
          onClose={() => setAlarming(false)}
          onRung={() => {
            setAlarming(false);
            setSaid(t("alarm.rung"));
          }}
        />
      )}
      {skipping && (
        <SkipDialog
          onClose={() => setSkipping(false)}
          onSkip={(reason, note) => {
            setSkipping(false);
            labeling.skip(reason, note);
          }}
        />
      )}
    </div>
  );
}

function labelOf(keymap: Keymap<LabelAction>, action: LabelAction): string {
  return keymap.find((binding) => binding.action === action)?.label ?? "";
}

/** Moves the focus to the next group that fits, so that one key walks from response to response. */
export function focusNext(page: HTMLElement | null, selector: string): void {
  const groups = [...(page?.querySelectorAll(selector) ?? [])];
  const now = groups.findIndex((group) => group.contains(document.activeElement));
  groups[(now + 1) % groups.length]?.querySelector<HTMLElement>("button, input")?.focus();
}
