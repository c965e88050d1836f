/** Prefix of the action ids of our buttons and menus; the command follows. */
export const actionPrefix = "bellhop/";

/** Action id of the menu of repositories. */
export const menuId = `${actionPrefix}use`;

/** Action id of the button that asks for that menu. */
export const chooseId = `${actionPrefix}choose`;
