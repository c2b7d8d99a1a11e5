import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Redirect, Route, Switch, useLocation, useSearch } from "wouter-preact";
import { loadSession, session } from "./account";
import { lazy } from "./parts/lazy";
import { Shell } from "./parts/Shell";
import { Broken, Loading } from "./parts/States";

/** Pages that anyone may open. */
const OPEN_PAGES: Record<string, ComponentType> = {
  "/sign-in": lazy(() => import("./pages/sign-in")),
  "/join/:key": lazy(() => import("./pages/join")),
  "/reset/:uid/:token": lazy(() => import("./pages/reset")),
};

/** Pages for somebody who is signed in. */
const PAGES: Record<string, ComponentType> = {
  "/": lazy(() => import("./pages/projects")),
  "/new": lazy(() => import("./pages/new")),
  "/account": lazy(() => import("./pages/account")),
  "/p/:slug/label": lazy(() => import("./pages/label")),
  "/p/:slug/talk": lazy(() => import("./pages/talk")),
  "/p/:slug/settings": lazy(() => import("./pages/settings")),
  "/p/:slug/circle": lazy(() => import("./pages/circle")),
  "/p/:slug/runs": lazy(() => import("./pages/runs")),
  "/runs/:id": lazy(() => import("./pages/runs/run")),
  "/p/:slug/models": lazy(() => import("./pages/models")),
  "/models/:id/score": lazy(() => import("./pages/score")),
  "/models/:id": lazy(() => import("./pages/models/model")),
  "/batches/:id": lazy(() => import("./pages/batches")),
  "/p/:slug/arena": lazy(() => import("./pages/arena")),
};
const Missing = lazy(() => import("./pages/missing"));

export function App() {
  const [error, setError] = useState<Error | null>(null);
  const [path] = useLocation();
  const load = () => {
    setError(null);
    loadSession().catch(setError);
  };
  useEffect(load, []);

  if (error && !session.value) return <Broken whole error={error} retry={load} />;
  if (!session.value) return <Loading />;
  return (
    <Shell>
      <Boundary key={path}>
        <Switch>
          {routes(OPEN_PAGES)}
          {!session.value.user && (
            <Route>
              <ToSignIn />
            </Route>
          )}
          {routes(PAGES)}
          <Route>
            <Missing />
          </Route>
        </Switch>
      </Boundary>
    </Shell>
  );
}

function routes(pages: Record<string, ComponentType>) {
  return Object.entries(pages).map(([route, Page]) => (
    <Route key={route} path={route}>
      <Page />
    </Route>
  ));
}

/** Signing in leads back to the page that was asked for. */
function ToSignIn() {
  const [path] = useLocation();
  const search = useSearch();
  const next = path + (search ? `?${search}` : "");
  return <Redirect to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} />;
}

/** A page that breaks says so; the bar and the way out stay. */
class Boundary extends Component<{ children: ComponentChildren }, { error: Error | null }> {
  state = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    if (error) return <Broken whole error={error} retry={() => location.reload()} />;
    return this.props.children;
  }
}
