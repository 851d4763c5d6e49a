server ENV.fetch("PEER_HOST"), user: "root", roles: %w[app], ssh_options: {
  port: ENV.fetch("PEER_PORT").to_i,
  keys: [ENV.fetch("PEER_KEY")],
  keys_only: true,
  config: false,
  user_known_hosts_file: ENV.fetch("PEER_KNOWN_HOSTS"),
  verify_host_key: :always
}
