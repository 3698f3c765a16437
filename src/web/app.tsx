/** The frame of the page: header, paths (a drawer on phones), and the view that the address names. */
import { Drawer } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { DayView } from "./day-view.js";
import { TokenFace } from "./faces.js";
import { Header } from "./header.js";
import { HomeView } from "./home-view.js";
import { PathsList } from "./paths-list.js";
import { useRecordings } from "./queries.js";
import { forgetToken, keepToken, RequestError, token } from "./request.js";
import { strings } from "./strings.js";
import { useAddress } from "./use-address.js";

export function App() {
  const queries = useQueryClient();
  const [wasRefused, setRefused] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isUnauthorized = useIsUnauthorized();
  const open = (text: string): void => {
    keepToken(text);
    setRefused(true);
    setAsking(false);
    void queries.resetQueries();
  };
  const forget = (): void => {
    forgetToken();
    setRefused(false);
    setAsking(true);
    queries.clear();
  };
  if (!isUnauthorized && !isAsking) return <Frame onForget={token() === null ? undefined : forget} />;
  return (
    <div className="frame alone">
      <Header />
      <main id="main" tabIndex={-1}>
        <TokenFace isRefused={wasRefused && !isAsking} onToken={open} />
      </main>
    </div>
  );
}

function useIsUnauthorized(): boolean {
  const { error } = useRecordings([], undefined);
  return error instanceof RequestError && error.status === 401;
}

function Frame({ onForget }: { readonly onForget: (() => void) | undefined }) {
  const { address, go } = useAddress();
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const choose = (paths: readonly string[]): void => {
    setDrawerOpen(false);
    go(paths.length === 0 ? { paths, atMs: undefined } : { paths });
  };
  const list = <PathsList chosen={address.paths} onChoose={choose} />;
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {strings.skip}
      </a>
      <Header onForget={onForget} onPaths={() => setDrawerOpen(true)} />
      <aside className="sidebar">{list}</aside>
      <Drawer
        opened={isDrawerOpen}
        onClose={() => setDrawerOpen(false)}
        title={strings.paths}
        closeButtonProps={{ "aria-label": strings.close }}
        lockScroll={false}
        size="20rem"
        transitionProps={{ duration: 0 }}
      >
        {list}
      </Drawer>
      <main id="main" tabIndex={-1}>
        {address.paths.length === 0 ? <HomeView /> : <DayView key={address.paths[0]} />}
      </main>
    </div>
  );
}
