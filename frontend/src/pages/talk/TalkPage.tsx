import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { usePoll } from "../../api/resource";
import type { Assignment, Choice, Project, Talk, Turn } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { useKeymap } from "../../keymap/useKeymap";
import { modality } from "../../modalities";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Broken, Loading } from "../../parts/States";
import { type Action, useAction } from "../../parts/useAction";
import { type ChoiceAction, FORMS, formFor } from "../../responses/forms";
import { moved } from "../../responses/ranking";
import type { Outbox } from "../../session/outbox";
import { saidSoFar, type Talking } from "../../session/talking";
import { ActionBar } from "../label/ActionBar";
import { AlarmDialog } from "../label/AlarmDialog";
import { GuidelinesPanel } from "../label/GuidelinesPanel";
import type { LabelAction } from "../label/keys";
import { focusNext } from "../label/LabelPage";
import { Notices } from "../label/Notices";
import { Responses } from "../label/Responses";
import { Rewriting } from "../label/Rewriting";
import { SkipDialog } from "../label/SkipDialog";
import { SpanBar } from "../label/SpanBar";
import { Status } from "../label/Status";
import { useGuidelines } from "../label/useGuidelines";
import { type Rewritten, useRewriting } from "../label/useRewriting";
import { type Spans, useSpans } from "../label/useSpans";
import { Composer } from "./Composer";
import { pairKeymap, TALK_KEYS, type TalkAction } from "./keys";

/** Seconds between two looks at replies that grow, and at an answer that is on its way. */
const GROWING = 0.3;
const SETTLING = 1;

interface Props {
  project: Project;
  talking: Talking;
  outbox: Outbox;
}

export function TalkPage({ project, talking, outbox }: Props) {
  const talk = talking.talk.value;
  const { error } = talking.state.value;
  usePoll(() => talking.serve(), pollFor(talk?.turn ?? null, talking.shown.value));
  return (
    <>
      <Status labeling={talking} outbox={outbox} />
      {talk ? (
        <Conversation {...{ project, talking, outbox, talk }} />
      ) : error ? (
        <Broken whole error={error} retry={() => talking.serve()} />
      ) : (
        <Loading page={t("nav.talk")} />
      )}
    </>
  );
}

function pollFor(turn: Turn | null, shown: Assignment | null): number {
  if (turn === null || turn.state === "failed") return 0;
  if (turn.state !== "ready") return GROWING;
  return shown === null && !turn.settled ? SETTLING : 0;
}

function Conversation({ project, talking, outbox, talk }: Props & { talk: Talk }) {
  const turn = talk.turn;
  const shown = talking.shown.value;
  const reply = talking.reply.value;
  const count = shown?.responses.length ?? project.talk_replies;
  const keymap = useMemo(() => pairKeymap(project, count), [project, count]);
  const [plain, setPlain] = useState(false);
  const [comparing, setComparing] = useState(false);
  const [noting, setNoting] = useState(0);
  const [skipping, setSkipping] = useState(false);
  const [alarming, setAlarming] = useState(false);
  const [guidelines, setGuidelines] = useState(false);
  const page = useRef<HTMLDivElement>(null);
  const rewriting = useRewriting(talking, shown);
  const spans = useSpans({ page, project, labeling: talking, assignment: shown });
  const versions = useGuidelines(project.slug, shown?.guidelines_version, () =>
    setGuidelines(true),
  );
  const focus = (selector: string) => page.current?.querySelector<HTMLElement>(selector)?.focus();

  const say = useAction(() => talking.say());
  const again = useAction(() => talking.again());
  const begin = useAction(() => talking.begin());

  const choose = (choice: Choice) => {
    const { rationale } = talking.state.value.draft;
    if (project.rationale_required && rationale.trim() === "") {
      if (talking.hold(choice)) setNoting(noting + 1);
    } else talking.answer(choice);
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
    const { tiers } = talking.state.value.draft;
    switch (action) {
      case "skip":
        return shown ? setSkipping(true) : undefined;
      case "undo":
        return void talking.undo();
      case "note":
        return setNoting(noting + 1);
      case "plain":
        return setPlain(!plain);
      case "compare":
        return setComparing(!comparing);
      case "flags":
        return focusNext(page.current, ".flags");
      case "ratings":
        return focusNext(page.current, ".ratings");
      case "spans":
        return spans.begin();
      case "rewrite":
        return shown ? rewrite(rewriting.next()) : undefined;
      case "present":
        return rewriting.place === null ? undefined : closeRewriting();
      case "guidelines":
        return setGuidelines(!guidelines);
      case "alarm":
        return setAlarming(true);
      case "rank_up":
      case "rank_down": {
        const { position } = (document.activeElement as HTMLElement).dataset;
        return talking.draft({
          tiers: moved(tiers, Number(position), action === "rank_up" ? -1 : 1),
        });
      }
      default: {
        const effect = shown
          ? FORMS[formFor(project, count)].press(action as ChoiceAction, tiers, count)
          : null;
        if (effect && "tiers" in effect) talking.draft(effect);
        else if (effect) choose(effect.choice);
      }
    }
  };
  const actOnTalk = (action: TalkAction) => {
    if (action === "write") focus(".composer textarea");
    else if (action === "new") begin.run();
    else if (turn && mayWriteAgain(turn, reply)) again.run();
  };
  useKeymap(keymap, act, spans.picking === null);
  useKeymap(TALK_KEYS, actOnTalk);

  // Complete replies are there to be read and compared by key; a chosen one, to be answered. Who
  // is typing ahead goes on typing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the pair that matters.
  useLayoutEffect(() => {
    setNoting(0);
    const typing = document.activeElement?.closest(".composer textarea");
    if (shown && !(typing && talking.text.value)) focus(".responses-scroll");
    if (!shown && reply !== null) focus(".composer textarea");
  }, [shown?.key, reply === null]);

  return (
    <div class="label talk" ref={page}>
      <h1 class="visually-hidden">{t("talk.title", { name: project.name })}</h1>
      <div class="label-work">
        <SoFar
          {...{ project, talking, talk, plain, begin, guidelines, keymap, act }}
          pair={turn !== null && reply === null}
        />
        <Replies
          {...{ project, talking, turn, shown, reply, plain, comparing, keymap, act, spans }}
          {...{ rewriting, rewrite, closeRewriting }}
        />
        <div>
          <Notices labeling={talking} outbox={outbox} keymap={keymap} act={act} />
          <TurnNotices {...{ talking, turn, shown, reply, again }} />
          <ErrorNotice error={begin.error} />
        </div>
        <div>
          {shown && (
            <ActionBar
              {...{ project, labeling: talking, keymap, act, noting, choose }}
              assignment={shown}
            />
          )}
          <Composer talking={talking} say={say} ready={turn === null || reply !== null} />
        </div>
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
          onRung={() => setAlarming(false)}
        />
      )}
      {skipping && (
        <SkipDialog
          onClose={() => setSkipping(false)}
          onSkip={(reason, note) => {
            setSkipping(false);
            talking.skip(reason, note);
          }}
        />
      )}
    </div>
  );
}

interface SoFarProps {
  project: Project;
  talking: Talking;
  talk: Talk;
  plain: boolean;
  begin: Action<[]>;
  guidelines: boolean;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  /** Whether replies stand below, so that this is what they answer. */
  pair: boolean;
}

/** What was said, the latest in sight. */
function SoFar(props: SoFarProps) {
  const { project, talking, talk, plain, begin, guidelines, keymap, act, pair } = props;
  const Messages = modality(project.modality);
  const messages = saidSoFar(talk, talking.reply.value);
  const scroll = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new is in sight.
  useEffect(() => {
    scroll.current?.scrollTo({ top: scroll.current.scrollHeight });
  }, [messages.length, pair]);
  return (
    <section class={pair ? "prompt" : "prompt alone"} aria-label={t("talk.so_far")}>
      <header class="prompt-head">
        <h2>{t("talk.so_far")}</h2>
        <div class="prompt-actions">
          <Button
            kind="quiet"
            hint={hintFor(keymap, "guidelines")}
            aria-pressed={guidelines}
            onClick={() => act("guidelines")}
          >
            {t("label.guidelines")}
          </Button>
          <Button
            kind="quiet"
            hint={hintFor(TALK_KEYS, "new")}
            busy={begin.busy}
            disabled={talk.turn === null}
            onClick={() => begin.run()}
          >
            {t("talk.new")}
          </Button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard. */}
      <div class="prompt-scroll" tabIndex={0} ref={scroll}>
        {messages.length > 0 ? (
          <Messages messages={messages} plain={plain} />
        ) : (
          <p class="quiet">{t("talk.empty", { count: project.talk_replies })}</p>
        )}
      </div>
    </section>
  );
}

interface RepliesProps {
  project: Project;
  talking: Talking;
  turn: Turn | null;
  shown: Assignment | null;
  reply: string | null;
  plain: boolean;
  comparing: boolean;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  spans: Spans;
  rewriting: Rewritten;
  rewrite: (place: number) => void;
  closeRewriting: () => void;
}

/** The replies side by side, from their first words to the answer. */
function Replies(props: RepliesProps) {
  const { project, talking, turn, shown, reply, plain, comparing, keymap, act } = props;
  const { spans, rewriting, rewrite, closeRewriting } = props;
  if (turn === null || reply !== null) return null;
  const growing = turn.state === "waiting" || turn.state === "writing";
  if (!shown && !growing) return null;
  const texts = growing
    ? Array.from({ length: project.talk_replies }, (_, place) => turn.texts[place] ?? "")
    : [];
  const assignment: Pick<Assignment, "key" | "responses"> = {
    // One key from the first word on, so that nothing is drawn anew when the replies are complete.
    key: `${turn.number} ${turn.attempt}`,
    responses:
      shown?.responses ?? texts.map((content) => ({ messages: [{ role: "assistant", content }] })),
  };
  return (
    <>
      <p class="visually-hidden" role="status">
        {growing ? t("talk.writing") : t("talk.ready")}
      </p>
      <div class="label-responses">
        <Responses
          {...{ project, labeling: talking, assignment, plain, keymap, act, growing, rewrite }}
          comparing={comparing && !growing}
          covered={rewriting.place !== null}
        />
        {spans.picking && <SpanBar spans={spans} categories={project.span_categories} />}
        {shown && rewriting.place !== null && (
          <Rewriting
            {...{ labeling: talking, assignment: shown, plain }}
            modality={project.modality}
            place={rewriting.place}
            turnTo={rewriting.open}
            onClose={closeRewriting}
          />
        )}
      </div>
    </>
  );
}

/** Whether the policy can be asked for other replies to the same words. */
function mayWriteAgain(turn: Turn, reply: string | null): boolean {
  return turn.state === "failed" || turn.late || (turn.settled && reply === null);
}

interface TurnNoticesProps {
  talking: Talking;
  turn: Turn | null;
  shown: Assignment | null;
  reply: string | null;
  again: Action<[]>;
}

function TurnNotices({ talking, turn, shown, reply, again }: TurnNoticesProps) {
  if (turn === null || shown) return null;
  const same = turn.state === "ready" && turn.assignment === null && reply !== null;
  return (
    <div class="label-notices">
      {mayWriteAgain(turn, reply) && (
        <Notice kind={turn.settled ? "info" : "warn"}>
          <span>
            {turn.settled
              ? t("talk.nothing_good")
              : t(turn.state === "failed" ? "talk.failed" : "talk.late")}
          </span>
          <Button hint={hintFor(TALK_KEYS, "again")} busy={again.busy} onClick={() => again.run()}>
            {turn.settled ? t("talk.others") : t("talk.again")}
          </Button>
        </Notice>
      )}
      {same && <Notice>{t("talk.same")}</Notice>}
      {talking.undoable.value && (
        <Notice>
          <span>{reply === null ? t("talk.answered") : t("talk.goes_on")}</span>
          <Button kind="quiet" hint="u" onClick={() => talking.undo()}>
            {t("action.undo")}
          </Button>
        </Notice>
      )}
      <ErrorNotice error={again.error} />
    </div>
  );
}
