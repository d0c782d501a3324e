// /v/…: a board, or the page of a single view.

import { boardOf } from "../../state/saved.ts";
import { path } from "../../state/state.ts";
import { Board } from "./board.tsx";
import { OneView } from "./views.tsx";

export default function View({ rest }: { rest: string }) {
  const board = boardOf(path.value);
  return board ? <Board key={board.board?.slug} {...board} /> : <OneView key={rest} slug={rest} />;
}
