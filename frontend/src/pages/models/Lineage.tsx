import { Link } from "wouter-preact";
import type { Link as LineageLink } from "../../api/models";
import { t } from "../../i18n";

interface Props {
  title: string;
  links: readonly LineageLink[];
  empty: string;
}

/** The steps of a lineage, nearest first; each is a link. */
export function Lineage({ title, links, empty }: Props) {
  return (
    <section class="lineage">
      <h2>{title}</h2>
      {links.length === 0 ? (
        <p class="quiet">{empty}</p>
      ) : (
        <ol>
          {links.map(({ type, id, label, href }) => (
            <li key={`${type} ${id}`} class={`lineage-step ${type}`}>
              <span class="quiet">{t(`lineage.${type}`)}</span> <Link href={href}>{label}</Link>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
