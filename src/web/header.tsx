/** What stands above every view: how far the archive is, what is wrong, and the page's own switches. */
import { Button, useMantineColorScheme } from "@mantine/core";

import { ACCOUNT, administrationFor } from "./admin/pages.js";
import type { Me } from "./api-types.js";
import { nowMs } from "./clock.js";
import { Mark } from "./mark.js";
import { seesAll } from "./me.js";
import { useArchive } from "./queries.js";
import { strings } from "./strings.js";
import { type Place, placeHref } from "./place.js";
import { backlogOf } from "./words.js";

interface HeaderProps {
  /** Undefined: nobody is known yet. */
  readonly me?: Me;
  readonly place?: Place | undefined;
  readonly onForget?: (() => void) | undefined;
  readonly onLogOut?: (() => void) | undefined;
  readonly onList?: () => void;
}

export function Header({ me, place, onForget, onLogOut, onList }: HeaderProps) {
  return (
    <header>
      {onList !== undefined && (
        <Button
          className="open-paths"
          variant="default"
          onClick={onList}
          aria-label={place === undefined ? strings.openPaths : strings.openMenu}
        >
          {place === undefined ? strings.paths : strings.menu}
        </Button>
      )}
      <a className="brand" href="./">
        <img src="icon.svg" alt="" width="24" height="24" />
        {strings.brand}
      </a>
      {me !== undefined && seesAll(me) && <Backlog />}
      <nav aria-label={strings.more}>
        {me !== undefined && <PersonLinks {...{ me, place, onLogOut }} />}
        {onForget !== undefined && (
          <button className="link" id="forget" onClick={onForget}>
            {strings.forget}
          </button>
        )}
        <ThemeSwitch />
        <a href="api/docs">{strings.docs}</a>
      </nav>
    </header>
  );
}

type PersonLinksProps = Required<Pick<HeaderProps, "me">> & Pick<HeaderProps, "place" | "onLogOut">;

function PersonLinks({ me, place, onLogOut }: PersonLinksProps) {
  const pages = administrationFor(me);
  const [first] = pages;
  return (
    <>
      {first !== undefined && (
        <a
          id="administration"
          href={placeHref(first.id)}
          aria-current={pages.some(({ id }) => id === place?.page) ? "true" : undefined}
        >
          {strings.administration}
        </a>
      )}
      {ACCOUNT.isOpenTo(me) && (
        <>
          <a
            id="account"
            href={placeHref(ACCOUNT.id)}
            aria-label={strings.account(me.name)}
            title={strings.pages.account}
            aria-current={place?.page === ACCOUNT.id ? "true" : undefined}
          >
            {me.name}
          </a>
          <button className="link" id="log-out" onClick={onLogOut}>
            {strings.logOut}
          </button>
        </>
      )}
    </>
  );
}

function Backlog() {
  const { data } = useArchive();
  return data === undefined ? <p id="backlog" /> : <Mark id="backlog" mark={backlogOf(data, nowMs())} />;
}

const NEXT = { auto: "dark", dark: "light", light: "auto" } as const;
const SHAPES = {
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 1.5v9a4.5 4.5 0 0 1 0-9",
  light: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M7.3 1h1.4v2.5H7.3zm0 11.5h1.4V15H7.3zM1 7.3h2.5v1.4H1zm11.5 0H15v1.4h-2.5z",
  dark: "M6 2a6 6 0 1 0 8 8A6.5 6.5 0 0 1 6 2",
};

function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const label = strings.theme[colorScheme];
  return (
    <button className="icon theme" aria-label={label} title={label} onClick={() => setColorScheme(NEXT[colorScheme])}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[colorScheme]} />
      </svg>
    </button>
  );
}
