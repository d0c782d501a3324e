// The page for an unknown path.

export const NotFound = ({ link = false }: { link?: boolean }) => (
  <main class="start" id="main">
    <header class="page-head">
      <h1>{link ? "No such link" : "No such page"}</h1>
      <p>
        {link && "No link with this name. Check that it was copied completely. "}
        Go to <a href="/explore">Explore</a>.
      </p>
    </header>
  </main>
);
