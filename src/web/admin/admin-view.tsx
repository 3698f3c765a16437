/** What stands in place of the recordings while an administration page is shown: its menu, and the page itself. */
import { Button } from "@mantine/core";
import { Component, type ReactNode, Suspense, useEffect } from "react";

import { useMe } from "../me.js";
import { strings } from "../strings.js";
import { type Place, placeHref } from "../place.js";
import { ACCOUNT, administrationFor, findPage } from "./pages.js";

interface AdminMenuProps {
  readonly shown: string;
  readonly onChoose: () => void;
}

export function AdminMenu({ shown, onChoose }: AdminMenuProps) {
  const me = useMe();
  const pages = [...administrationFor(me), ...(ACCOUNT.isOpenTo(me) ? [ACCOUNT] : [])];
  return (
    <nav className="paths" aria-label={strings.menu}>
      <a className="path-item all" href="#" onClick={onChoose}>
        {strings.recordings}
      </a>
      <ul>
        {pages.map(({ id, label }) => (
          <li key={id}>
            <a
              className="path-item all"
              href={placeHref(id)}
              aria-current={id === shown ? "page" : undefined}
              onClick={onChoose}
            >
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

export function AdminView({ place: { page: id, query } }: { readonly place: Place }) {
  const page = findPage(useMe(), id);
  useEffect(() => {
    document.title = page === undefined ? strings.title : strings.pageTitle(page.label);
    return () => {
      document.title = strings.title;
    };
  }, [page]);
  if (page === undefined) {
    return (
      <section className="face" data-view="no-page">
        <h1>{strings.noPage.title}</h1>
        <a href="#">{strings.noPage.back}</a>
      </section>
    );
  }
  const { View } = page;
  return (
    <div className="admin" data-view={id}>
      <Broken key={id}>
        <Suspense fallback={<h1>{page.label}</h1>}>
          <View query={query} />
        </Suspense>
      </Broken>
    </div>
  );
}

/** A page whose script is gone: the server was renewed while this one was open. */
class Broken extends Component<{ readonly children: ReactNode }, { readonly isBroken: boolean }> {
  override state = { isBroken: false };
  static getDerivedStateFromError() {
    return { isBroken: true };
  }
  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <section className="face" data-view="failed">
        <h1>{strings.pageFailed.title}</h1>
        <Button variant="default" onClick={() => location.reload()}>
          {strings.pageFailed.again}
        </Button>
      </section>
    );
  }
}
