import { useState } from "preact/hooks";
import { confirm } from "../app/confirm";
import type { PageProps } from "../app/routes";
import { toast, toastError } from "../app/toast";
import { ApiError } from "../api/client";
import { may, mayOwned } from "../api/session";
import { listImages, registerImage, removeImage, type Image } from "../api/resources";
import { Button, Empty, RelativeTime, Table, useLoad, type Column } from "../ui";
import { asDefault } from "./images/form";
import { RegisterDialog } from "./images/register";
import { Listing } from "./shared/listing";
import { PageHead } from "./shared/page-head";

async function makeDefault(image: Image, onDone: () => void): Promise<void> {
  try {
    await registerImage(asDefault(image));
    toast(`${image.image} is the default image.`);
    onDone();
  } catch (error) {
    toastError(error);
  }
}

async function askToRemove(image: Image, onDone: () => void): Promise<void> {
  const yes = await confirm({
    title: `Unregister ${image.image}?`,
    text: "Runs cannot name it any more. What ran with it stays; the image itself is not removed from this machine.",
    action: "Unregister",
    danger: true,
  });
  if (!yes) return;
  try {
    await removeImage(image.image_id);
    toast(`${image.image} is unregistered.`);
    onDone();
  } catch (error) {
    const inUse = error instanceof ApiError && error.status === 409;
    if (inUse) toast(`${image.image} is in use: an execution with it has not ended. Wait for it or kill it, then try again.`, "error");
    else toastError(error);
  }
}

/** The engine's own image was registered by nobody and stays. */
const isOwn = (image: Image): boolean => image.created_by === undefined;

function Actions({ image, onDone }: { image: Image; onDone: () => void }) {
  if (isOwn(image)) return null;
  return (
    <div class="row-actions">
      {!image.is_default && may("images", "create") ? (
        <Button kind="quiet" label={`Make default: ${image.image}`} testid="image-make-default" onClick={() => void makeDefault(image, onDone)}>
          Make default
        </Button>
      ) : null}
      {mayOwned("images", "delete", image.created_by) ? (
        <Button kind="quiet" label={`Unregister ${image.image}`} testid="image-remove" onClick={() => void askToRemove(image, onDone)}>
          Unregister
        </Button>
      ) : null}
    </div>
  );
}

function size(image: Image): string {
  const parts = [image.cpu ? `${image.cpu} CPU` : "", image.memory ? `${image.memory} MiB` : "", image.runtime_platform ?? ""];
  return parts.filter((part) => part !== "").join(", ") || "–";
}

export default function ImagesPage(_props: PageProps) {
  const loaded = useLoad((signal) => listImages({ signal }), []);
  const [open, setOpen] = useState(false);
  const columns: Column<Image>[] = [
    {
      title: "Image",
      keep: true,
      cell: (image) => (
        <>
          <span class="mono">{image.image}</span> {image.is_default ? <span class="tag">default</span> : null}
        </>
      ),
    },
    { title: "ID", cell: (image) => <code>{image.image_id}</code> },
    { title: "Size", cell: size },
    { title: "Registered by", cell: (image) => image.created_by ?? "this server" },
    { title: "Registered", cell: (image) => <RelativeTime time={image.created_at} /> },
    { title: "Actions", cell: (image) => <Actions image={image} onDone={loaded.reload} /> },
  ];
  return (
    <>
      <PageHead title="Images">
        {may("images", "create") ? (
          <Button kind="primary" onClick={() => setOpen(true)} testid="image-new">
            Register an image
          </Button>
        ) : null}
      </PageHead>
      <Listing loaded={loaded} empty={<Empty title="No images are registered">Runs need one: register it here or with tailgate images register.</Empty>}>
        {(rows) => <Table caption="Images" columns={columns} rows={rows} rowKey={(image) => image.image_id} testid="images" />}
      </Listing>
      {open ? (
        <RegisterDialog
          onDone={() => {
            setOpen(false);
            loaded.reload();
          }}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </>
  );
}
