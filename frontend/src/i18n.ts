/** Every word on a page comes from locales/. Keys are checked by the compiler. */

import i18next from "i18next";
import manage from "./locales/en/manage.json";
import people from "./locales/en/people.json";

const en = { ...people, ...manage };

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

i18next.init({
  lng: "en",
  fallbackLng: "en",
  resources: { en: { translation: en } },
  interpolation: { escapeValue: false },
  initAsync: false,
});

export const t = i18next.t;

/** `t` for keys known only at run time, such as a state that the server named. */
export function tIn(group: string, name: string): string {
  return i18next.t(`${group}.${name}` as never, { defaultValue: name }) as string;
}
