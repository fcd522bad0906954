import type { Image } from "../../api/resources";
import { Field, type Loaded } from "../../ui";

/** The registered images; the default one is the server's choice when none is named. */
export function ImageField(props: { value: string; images: Loaded<Image[]>; error: string | undefined; onValue: (value: string) => void }) {
  const images = props.images.data ?? [];
  const standard = images.find((image) => image.is_default);
  const known = props.value === "" || images.some((image) => image.image_id === props.value);
  const hint = props.images.error ? "The images could not be listed: the default one is taken unless another is named." : undefined;
  return (
    <Field label="Image" error={props.error} hint={hint}>
      {(control) => (
        <select {...control} class="select" value={props.value} data-testid="run-image" onChange={(event) => props.onValue(event.currentTarget.value)}>
          <option value="">Default{standard ? ` (${standard.image})` : ""}</option>
          {known ? null : <option value={props.value}>{props.value}</option>}
          {images.map((image) => (
            <option key={image.image_id} value={image.image_id}>
              {image.image === image.image_id ? image.image : `${image.image} (${image.image_id})`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
