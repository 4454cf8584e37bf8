import { type Handler, vaultOf } from '../handler.ts';

export const setVaultNotifications: Handler<
  'SetVaultNotifications',
  'notificationSettings'
> = async (input, { notificationSettings }, call) => {
  const { sNSTopic: snsTopic, events } = input;
  await notificationSettings.set(vaultOf(input, call), { snsTopic, events });
  return {};
};
