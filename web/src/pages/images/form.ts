import type { Image, ImageInput } from "../../api/resources";

export interface ImageForm {
  image: string;
  isDefault: boolean;
  cpu: string;
  memory: string;
  platform: string;
}

export const emptyImage: ImageForm = { image: "", isDefault: false, cpu: "", memory: "", platform: "" };

export const imageFields = ["image", "cpu", "memory", "runtime_platform"] as const;

const wholeNumber = (text: string): boolean => /^\d*$/.test(text.trim());

export function validateImage(form: ImageForm): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (form.image.trim() === "") wrong["image"] = "An image reference is needed";
  if (!wholeNumber(form.cpu)) wrong["cpu"] = "A whole number";
  if (!wholeNumber(form.memory)) wrong["memory"] = "A whole number";
  return wrong;
}

export function toImage(form: ImageForm): ImageInput {
  const image: ImageInput = { image: form.image.trim() };
  if (form.isDefault) image.is_default = true;
  if (form.cpu.trim()) image.cpu = Number(form.cpu);
  if (form.memory.trim()) image.memory = Number(form.memory);
  if (form.platform.trim()) image.runtime_platform = form.platform.trim();
  return image;
}

/** The same registration again, now as the default one: all that its ID is made of must be the same. */
export function asDefault(image: Image): ImageInput {
  const again: ImageInput = { image: image.image, is_default: true };
  if (image.cpu) again.cpu = image.cpu;
  if (image.memory) again.memory = image.memory;
  if (image.runtime_platform) again.runtime_platform = image.runtime_platform;
  if (image.task_role_name) again.task_role_name = image.task_role_name;
  if (image.task_execution_role_name) again.task_execution_role_name = image.task_execution_role_name;
  return again;
}
