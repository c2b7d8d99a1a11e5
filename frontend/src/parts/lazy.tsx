import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Loading } from "./States";

/** A page whose code comes when it is first opened. Failing to come breaks the page, not the app. */
export function lazy(load: () => Promise<{ default: ComponentType }>): ComponentType {
  let Loaded: ComponentType | null = null;

  return function Page() {
    const [, redraw] = useState(0);
    const [error, setError] = useState<Error | null>(null);
    useEffect(() => {
      if (Loaded) return;
      load().then((module) => {
        Loaded = module.default;
        redraw(1);
      }, setError);
    }, []);
    if (error) throw error;
    return Loaded ? <Loaded /> : <Loading />;
  };
}
