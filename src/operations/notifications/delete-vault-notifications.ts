import { type Handler, vaultOf } from '../handler.ts';

export const deleteVaultNotifications: Handler<
  'DeleteVaultNotifications',
  'notificationSettings'
> = async (input, { notificationSettings }, call) => {
  await notificationSettings.remove(vaultOf(input, call));
  return {};
};
