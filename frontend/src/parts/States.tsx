import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import type { Resource } from "../api/resource";
import { t } from "../i18n";
import { Button } from "./Button";
import { Notice, sentence } from "./Notice";

interface EmptyProps {
  title: string;
  /** Whether it is all that the page says, so that its title is the page's. */
  whole?: boolean;
  children?: ComponentChildren;
}

/** Nothing is there yet: said as a state, with what to do about it. */
export function Empty({ title, whole, children }: EmptyProps) {
  const Heading = whole ? "h1" : "h2";
  return (
    <div class="state">
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}

interface LoadingProps {
  /** What is on its way, where nothing else of the page is there yet. */
  page?: string;
}

/** Shown only when loading takes long enough to be noticed. */
export function Loading({ page }: LoadingProps) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 400);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="state" role="status" aria-busy="true">
      {page && <h1 class="visually-hidden">{page}</h1>}
      {late && <p class="quiet">{t("common.loading")}</p>}
    </div>
  );
}

interface BrokenProps {
  error: Error;
  /** As of Empty. */
  whole?: boolean;
  retry?: () => void;
}

export function Broken({ error, whole, retry }: BrokenProps) {
  const Heading = whole ? "h1" : "h2";
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div class="state" role="alert">
      <Heading>{missing ? t("error.missing_title") : t("error.title")}</Heading>
      <p class="quiet">{missing ? t("error.missing") : sentence(error)}</p>
      {missing ? (
        <p>
          <a href="/">{t("error.home")}</a>
        </p>
      ) : (
        retry && <Button onClick={retry}>{t("common.retry")}</Button>
      )}
    </div>
  );
}

interface LoadedProps<T> {
  resource: Resource<T>;
  children: (data: T) => ComponentChildren;
}

/** A resource in its three states; a failed reload keeps what was last known and says so. */
export function Loaded<T>({ resource, children }: LoadedProps<T>) {
  const { data, error, reload } = resource;
  if (data === null) return error ? <Broken error={error} retry={reload} /> : <Loading />;
  return (
    <>
      {error && <Notice kind="warn">{t("error.stale", { why: sentence(error) })}</Notice>}
      {children(data)}
    </>
  );
}
