// What stands where there is no page.

export const NotFound = ({ link = false }: { link?: boolean }) => (
  <main class="start" id="main">
    <header class="page-head">
      <h1>{link ? "No such link" : "No such page"}</h1>
      <p>
        {link && "Nothing was kept under this name: look whether the link was copied whole. "}
        <a href="/explore">Explore</a> is a good place to go on.
      </p>
    </header>
  </main>
);
