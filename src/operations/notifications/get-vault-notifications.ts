import { type Handler, vaultOf } from '../handler.ts';

export const getVaultNotifications: Handler<
  'GetVaultNotifications',
  'notificationSettings'
> = async (input, { notificationSettings }, call) => {
  const { snsTopic, events } = await notificationSettings.get(vaultOf(input, call));
  return { events, sNSTopic: snsTopic };
};
