/**
 * The module of Django's settings. The module of `wsgi:` comes first: where it and manage.py differ, manage.py names the settings for
 * development.
 *
 * @example settingsModule({ read: () => undefined }, 'shop.wsgi:application') // 'shop.settings'
 */
export function settingsModule(project: { read(path: string): string | undefined }, wsgi: string): string {
  const [module = ''] = wsgi.split(':')
  const path = module.replaceAll('.', '/')
  for (const file of [`${path}.py`, `${path}/__init__.py`, 'manage.py']) {
    const found = project.read(file)?.match(/^[^#\n]*DJANGO_SETTINGS_MODULE["'](?:\s*,\s*|\s*\]\s*=\s*)["']([\w.]+)["']/m)?.[1]
    if (found !== undefined) return found
  }
  const [top = ''] = module.split('.')
  return `${top}.settings`
}
