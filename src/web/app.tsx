/** The frame of the page: who is there, header, paths (a drawer on phones), and the view that the address names. */
import { Drawer } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { AdminMenu, AdminView } from "./admin/admin-view.js";
import type { Me } from "./api-types.js";
import { DayView } from "./day-view.js";
import { FailedFace } from "./faces.js";
import { Header } from "./header.js";
import { HomeView } from "./home-view.js";
import { endLogin, keepLogin, resumeLogin, useIsLoginOver } from "./login-state.js";
import { LoginView } from "./login-view.js";
import { logOut, ME_KEY, MeProvider, useAskMe } from "./me.js";
import { PathsList } from "./paths-list.js";
import { forgetToken, keepToken, RequestError, token } from "./request.js";
import { strings } from "./strings.js";
import { useAddress } from "./use-address.js";
import { usePlace } from "./use-place.js";

/** Whoever has to log in anew finds everything as it was: the frame is only hidden meanwhile. */
export function App() {
  const queries = useQueryClient();
  const { data: me, error, refetch } = useAskMe();
  const isOver = useIsLoginOver();
  const [isTokenRefused, setTokenRefused] = useState(false);
  useEffect(keepLogin, []);
  const openByToken = (text: string): void => {
    keepToken(text);
    setTokenRefused(true);
    resumeLogin();
    void queries.resetQueries();
  };
  const openAs = (now: Me): void => {
    // What somebody else saw is forgotten.
    if (now.id !== me?.id) queries.clear();
    queries.setQueryData(ME_KEY, now);
    resumeLogin();
    void queries.invalidateQueries();
  };
  const leave = (): void => {
    forgetToken();
    setTokenRefused(false);
    endLogin();
    queries.clear();
  };
  return (
    <>
      {me !== undefined && (
        <div hidden={isOver}>
          <MeProvider value={me}>
            <Frame key={me.id} me={me} onLeave={leave} />
          </MeProvider>
        </div>
      )}
      {(isOver || me === undefined) && (
        <div className="frame alone">
          <Header />
          <main tabIndex={-1}>
            {isOver && <LoginView before={me} onLogin={openAs} onToken={openByToken} {...{ isTokenRefused }} />}
            {!isOver && error !== null && <FailedFace why={error.message} onAgain={() => void refetch()} />}
          </main>
        </div>
      )}
    </>
  );
}

interface FrameProps {
  readonly me: Me;
  readonly onLeave: () => void;
}

function Frame({ me, onLeave }: FrameProps) {
  const { address, go } = useAddress();
  const place = usePlace();
  const isOver = useIsLoginOver();
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const [failure, setFailure] = useState("");
  const choose = (paths: readonly string[]): void => {
    setDrawerOpen(false);
    go(paths.length === 0 ? { paths, atMs: undefined } : { paths });
  };
  const leaveLogin = (): void => {
    logOut().then(onLeave, (error: unknown) => {
      if (error instanceof RequestError && error.status === 401) onLeave();
      else setFailure(strings.logOutFailed(error instanceof Error ? error.message : ""));
    });
  };
  const list =
    place === undefined ? (
      <PathsList chosen={address.paths} onChoose={choose} />
    ) : (
      <AdminMenu shown={place.page} onChoose={() => setDrawerOpen(false)} />
    );
  return (
    <div className="frame">
      <SkipLink />
      <Header
        me={me}
        place={place}
        onForget={token() === null ? undefined : onLeave}
        onLogOut={leaveLogin}
        onList={() => setDrawerOpen(true)}
      />
      <aside className="sidebar">{list}</aside>
      <Drawer
        opened={isDrawerOpen && !isOver}
        onClose={() => setDrawerOpen(false)}
        title={place === undefined ? strings.paths : strings.menu}
        closeButtonProps={{ "aria-label": strings.close }}
        lockScroll={false}
        size="20rem"
        transitionProps={{ duration: 0 }}
      >
        {list}
      </Drawer>
      <main id="main" tabIndex={-1}>
        {failure !== "" && (
          <p role="alert" className="notice">
            {failure}
          </p>
        )}
        {place !== undefined && <AdminView place={place} />}
        {place === undefined && (address.paths.length === 0 ? <HomeView /> : <DayView key={address.paths[0]} />)}
      </main>
    </div>
  );
}

/** What stands behind # in the address is the page's own. */
function SkipLink() {
  return (
    <a
      className="skip"
      href="#main"
      onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}
    >
      {strings.skip}
    </a>
  );
}
