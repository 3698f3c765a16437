/** A dialogue in the page. While somebody has to log in anew it waits below the login, with what was typed into it. */
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";

import { useIsLoginOver } from "./login-state.js";
import { strings } from "./strings.js";

interface ModalDialogueProps {
  readonly isOpen: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly size?: string;
}

export function ModalDialogue({ isOpen, title, onClose, children, size = "32rem" }: ModalDialogueProps) {
  const isOver = useIsLoginOver();
  return (
    <Modal
      {...{ opened: isOpen, title, onClose, size }}
      closeButtonProps={{ "aria-label": strings.close }}
      transitionProps={{ duration: 0 }}
      lockScroll={false}
      // Inside of the frame, so that it is hidden with it.
      withinPortal={false}
      trapFocus={!isOver}
      closeOnEscape={!isOver}
    >
      {children}
    </Modal>
  );
}
